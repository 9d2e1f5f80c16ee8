"""The JSON API of a portal, made from the tables of its lifecycles: what `reportflow client` asks for, and more.

Each module has the handlers of a few addresses under ``/api`` and its part of the table of routes; `describing` says
the same as OpenAPI. Requests that change something must be such as no page of another site can make.
"""
