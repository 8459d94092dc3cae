"""What is said: codes, fields, frames, states, envelope, payload. No I/O, no crypto, no clock."""
