"""s3://: Amazon's and compatible stores. Credentials as Amazon's own tools find them."""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.store import S3Store

from retail_datagen.config.errors import UserError
from retail_datagen.objects.base import StoreError
from retail_datagen.objects.cloud import (
    Cloud,
    CloudStore,
    client_options,
    environment,
    own_retries,
)
from retail_datagen.objects.failures import without_secrets
from retail_datagen.objects.retry import Backoff

if TYPE_CHECKING:
    from obstore.store import S3Config

_SIGN_IN = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run `aws configure` or "
    "`aws sso login`"
)
_S3 = Cloud(
    etag_is_md5=True,
    lists_in_order=True,
    sign_in=_SIGN_IN,
    permissions="the credentials must allow s3:GetObject, s3:PutObject, s3:DeleteObject and "
    "s3:ListBucket there",
    bucket="create the bucket first, or check its name",
    moved="set AWS_REGION to the bucket's region",
)


@dataclass(frozen=True, slots=True)
class _Profile:
    """A profile of the files that `aws configure` writes. Nothing where a file says nothing."""

    access_key: str | None
    secret_key: str | None
    token: str | None
    region: str | None


def open_s3(bucket: str, prefix: str, endpoint: str | None, backoff: Backoff) -> CloudStore:
    """A bucket below a prefix. `endpoint` or AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is a server's.

    Credentials are those of the environment, else of the profile, else what boto3 finds where it
    is installed, else the machine's. Raises UserError where none can be.
    """
    endpoint = endpoint or environment("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    profile = _read_profile()
    region = environment("AWS_REGION", "AWS_DEFAULT_REGION") or profile.region or "us-east-1"
    config: S3Config = {"region": region, "conditional_put": "etag"}
    if endpoint:
        config["endpoint"] = endpoint
    options, retries = client_options(endpoint, backoff), own_retries(backoff)
    static = _static(profile)
    if static is not None:
        config["access_key_id"] = static[0]
        config["secret_access_key"] = static[1]
        if static[2]:
            config["session_token"] = static[2]
        client = S3Store(bucket, config=config, client_options=options, retry_config=retries)
    else:
        client = _with_machines_credentials(bucket, config, backoff, endpoint)
    url = f"s3://{bucket}/{prefix}".rstrip("/")
    return CloudStore(url, client, prefix, _S3, backoff)


def _static(profile: _Profile) -> tuple[str, str, str | None] | None:
    """Explicit keys and their token: with them nobody is asked for any."""
    key, secret = environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return key, secret, environment("AWS_SESSION_TOKEN")
    if key or secret:
        missing = "AWS_SECRET_ACCESS_KEY" if key else "AWS_ACCESS_KEY_ID"
        raise UserError(f"{missing} is not set, although the other one of the pair is; set both")
    if profile.access_key and profile.secret_key:
        return profile.access_key, profile.secret_key, profile.token
    return None


def _with_machines_credentials(
    bucket: str, config: S3Config, backoff: Backoff, endpoint: str | None
) -> S3Store:
    """Roles, single sign-on and the machine's own: boto3 knows them all."""
    options, retries = client_options(endpoint, backoff), own_retries(backoff)
    try:
        import boto3
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ModuleNotFoundError:
        if profile := environment("AWS_PROFILE"):
            raise UserError(
                f"the AWS profile {profile!r} holds no keys; other kinds of profiles need boto3: "
                f"pip install boto3, or {_SIGN_IN}"
            ) from None
        return S3Store(bucket, config=config, client_options=options, retry_config=retries)
    try:
        provider = Boto3CredentialProvider(boto3.Session())
    except Exception as error:
        said = without_secrets(str(error))
        if isinstance(error, ValueError):
            said = "no AWS credentials were found"
        raise StoreError(f"cannot open s3://{bucket}: {said}; {_SIGN_IN}") from None
    return S3Store(
        bucket,
        config=config,
        client_options=options,
        retry_config=retries,
        credential_provider=provider,
    )


def _read_profile() -> _Profile:
    name = environment("AWS_PROFILE", "AWS_DEFAULT_PROFILE") or "default"
    secrets = _section("AWS_SHARED_CREDENTIALS_FILE", "credentials", name)
    title = name if name == "default" else f"profile {name}"
    settings = _section("AWS_CONFIG_FILE", "config", title)
    found = {**settings, **secrets}
    return _Profile(
        found.get("aws_access_key_id"),
        found.get("aws_secret_access_key"),
        found.get("aws_session_token"),
        found.get("region"),
    )


def _section(variable: str, file: str, title: str) -> dict[str, str]:
    path = Path(os.environ.get(variable) or Path.home() / ".aws" / file).expanduser()
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (OSError, configparser.Error, UnicodeDecodeError):
        # The message would quote a line, which may be a key.
        raise UserError(f"{path} cannot be read as an AWS configuration; correct it") from None
    return dict(parser[title]) if parser.has_section(title) else {}
