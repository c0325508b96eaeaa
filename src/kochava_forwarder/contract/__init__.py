"""What publishers may send. Pure."""
