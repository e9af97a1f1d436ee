"""The trigger evaluator over a real broker, beside a real router."""
