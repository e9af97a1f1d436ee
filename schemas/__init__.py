"""What others build against: message schemas, and the SQL of the log's database as package data."""
