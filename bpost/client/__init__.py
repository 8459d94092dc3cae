"""The headless client."""
