"""SQS's side: messages, and the calls that postpone and dead-letter them."""
