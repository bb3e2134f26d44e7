"""Figures: summary tables in, PDF and PNG out. Nothing is estimated here: intervals are drawn as the table gives them."""

from .figure import draw as draw
from .figure import draw_key as draw_key
from .speed import draw_speed as draw_speed
from .summary_page import summary_page as summary_page
from .terms import draw_terms as draw_terms
