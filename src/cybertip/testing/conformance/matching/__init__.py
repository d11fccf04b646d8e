"""What matchers and classifiers promise."""
