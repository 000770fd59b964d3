"""Where records go, named by URI: `sqlite:out/news.db`, `jsonl:out/`, `stdout:`, databases and brokers."""
