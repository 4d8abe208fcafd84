"""Room of the store's web service: REST and WebSocket over one store.

The command line opens it (`serve`); it knows the store, and nothing here knows SQL. Routes are
thin: they read what is asked, call the store, and write what it answers. FastAPI, Starlette and
Prometheus' client are imported here and nowhere else; they come with the extra `store`.
"""
