"""From the paid click to revenue: sessions, touches, spend, conversions, and who gets the credit."""
