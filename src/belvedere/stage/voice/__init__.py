"""The room's microphone to the viewers, and the visitors' voices to the room's speaker."""
