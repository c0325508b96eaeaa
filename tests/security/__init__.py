"""What `make security` checks: the code, the template as it is deployed, and that nobody committed a secret."""
