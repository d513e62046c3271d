"""What returns 退件 teach: rows of the plan, records and borders whose cases come back, and the remedy."""
