"""What real things cost in tokens: texts, source trees, web pages, chats, documents, pictures, recordings; and what that takes to read."""
