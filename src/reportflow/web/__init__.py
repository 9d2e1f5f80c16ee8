"""The portal: pages and a JSON API of a flow, as an ASGI application that a host mounts.

`portal` makes it. Its pages, forms and API are made from the tables of the flow's lifecycles; which of them there are,
`reportflow.web.portal` says.
"""

from reportflow.errors import MissingExtra

try:
    import jinja2 as _jinja2
    import python_multipart as _multipart
    import starlette as _starlette
except ImportError as _error:
    raise MissingExtra("starlette", "reportflow[web]") from _error

from reportflow.web.portal import Portal, portal
from reportflow.web.portal_store import PortalStore
from reportflow.web.portal_tables import make_web_tables
from reportflow.web.routes import Route
from reportflow.web.settings import Authenticate, Settings
from reportflow.web.visit import Visit

__all__ = ["Authenticate", "Portal", "PortalStore", "Route", "Settings", "Visit", "make_web_tables", "portal"]

del _jinja2, _multipart, _starlette
