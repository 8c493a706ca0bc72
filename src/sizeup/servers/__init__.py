"""Clients of the servers that already run on this machine: Ollama, LM Studio, and whatever speaks OpenAI's API."""
