"""Trial and error with care: one field at a time, slowly, each try followed by a stop, and somebody who watches."""
