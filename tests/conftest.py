"""Puts this folder on the path, so that every test may import `histories`."""

from hypothesis import HealthCheck, settings

# Machines on which tests share the processors with servers are slow now and then.
settings.register_profile(
    "shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("shared")
