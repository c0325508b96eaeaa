"""Take batches of app events from SQS and posts each to Kochava, reporting exactly the failed ones."""
