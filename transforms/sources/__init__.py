"""Where pages come from: feeds that are polled, pages that are fetched, Kafka, files."""
