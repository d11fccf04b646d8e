"""Classifiers, which estimate how soon a person should look at media that no list knows. They file nothing."""
