"""How fast an engine answers at depths and side by side: the embedded one, or any server that speaks OpenAI's API."""
