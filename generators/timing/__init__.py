"""Event models of the circuits and the schedule that is counted with them."""
