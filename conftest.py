"""Examples in docstrings and pages run as tests."""

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()], patterns=["*.md"], path=".", excludes=[".nox/*"]
).pytest()
