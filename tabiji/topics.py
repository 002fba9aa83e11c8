"""What a file in the folder `topics` is written with.

from tabiji.topics import Topic
"""

from tabiji.domain.topics import LegalBasis, Topic

__all__ = ["LegalBasis", "Topic"]
