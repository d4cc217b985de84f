"""The room's rules, pure: curtain, knocks, quiet hours, and who is here. Events and time in, what is withheld out."""
