"""A batch of records in one invocation: which goes when, and what is done about each."""
