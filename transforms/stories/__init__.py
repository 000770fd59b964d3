"""Stories: one event, told by several outlets."""

from transforms.stories.config import StoriesConfig
from transforms.stories.stories import LinkStories

__all__ = ["LinkStories", "StoriesConfig"]
