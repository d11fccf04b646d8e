"""From signals to a filing: the inbox, the review, and the work between a decision and the platform's being told."""
