"""The operator's terminal: a bus client that shows, sounds and answers. Model, drawing and key reading are apart."""
