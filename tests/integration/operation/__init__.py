"""What watches over processes: their pages of health, their figures, alerts and runbooks."""
