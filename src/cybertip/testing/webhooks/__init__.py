"""For the tests of your own endpoints: requests as we send them, forged ones, and a check of the contract.

| for | take |
|---|---|
| keys that are nobody's | `make_keys(Scheme.HMAC)`: a signer, and what your endpoint is to trust |
| a request that is answered | `sample(Call.PRESERVATION, keys.signer)` |
| requests that are refused | `forgeries(Call.PRESERVATION, keys.signer)` |
| requests that are surprising, and answered | `variations(Call.PRESERVATION, keys.signer)` |
| an endpoint that runs | `check_endpoint(url, keys.signer, Call.PRESERVATION)`, or `cybertip webhooks check` |
"""

from cybertip.testing.webhooks.checking import check_endpoint
from cybertip.testing.webhooks.forgeries import forgeries
from cybertip.testing.webhooks.keys import SampleKeys, Scheme, make_keys
from cybertip.testing.webhooks.promises import Promise, Standing, Verdict
from cybertip.testing.webhooks.samples import Asked, Call, Sample, invented, sample
from cybertip.testing.webhooks.variations import variations

__all__ = [
    "Asked",
    "Call",
    "Promise",
    "Sample",
    "SampleKeys",
    "Scheme",
    "Standing",
    "Verdict",
    "check_endpoint",
    "forgeries",
    "invented",
    "make_keys",
    "sample",
    "variations",
]
