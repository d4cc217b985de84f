"""Who may look and who may drive: one-time invitations and the sessions that they grant."""
