"""Amazon IVS Real-Time: tokens, participants and what they cost."""
