"""The link of a board: packets over a UART, frames in, results out, and a measurement at full speed."""
