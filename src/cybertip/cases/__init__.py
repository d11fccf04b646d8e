"""From a platform's signals to a filing: what is known of a reported user, what was decided, and what to file. Pure."""
