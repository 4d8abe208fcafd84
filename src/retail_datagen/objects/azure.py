"""az://: Azure's blob storage. Credentials as Azure's own tools find them."""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import AzureStore

from retail_datagen.config.errors import UserError
from retail_datagen.objects.cloud import (
    Cloud,
    CloudStore,
    client_options,
    environment,
    own_retries,
)
from retail_datagen.objects.failures import failure
from retail_datagen.objects.retry import Backoff

if TYPE_CHECKING:
    from obstore.store import AzureConfig

_SIGN_IN = (
    "set AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING, "
    "or run `az login`"
)
_AZURE = Cloud(
    etag_is_md5=False,
    lists_in_order=False,
    sign_in=_SIGN_IN,
    permissions='the credentials need the role "Storage Blob Data Contributor" there',
    bucket="create the container first, or check its name",
    moved="check AZURE_STORAGE_ACCOUNT_NAME",
)


def open_azure(container: str, prefix: str, endpoint: str | None, backoff: Backoff) -> CloudStore:
    """A container below a prefix, of the account that AZURE_STORAGE_ACCOUNT_NAME names.

    Credentials are those of the environment, else what azure-identity finds where it is installed,
    else those of `az login`, else the machine's. Raises UserError where no account is named.
    """
    url = f"az://{container}/{prefix}".rstrip("/")
    config = _from_environment()
    if endpoint:
        config["endpoint"] = endpoint
    if "account_name" not in config:
        raise UserError(
            f"{url} needs the name of its storage account: set AZURE_STORAGE_ACCOUNT_NAME, and "
            f"{_SIGN_IN}"
        )
    options = client_options(config.get("endpoint"), backoff)
    retries = own_retries(backoff)
    try:
        if _is_explicit(config):
            client = AzureStore(
                container, config=config, client_options=options, retry_config=retries
            )
        else:
            client = _with_machines_credentials(container, config, backoff)
    except (BaseError, ValueError) as error:
        said = str(error).partition("\n\nDebug source")[0]
        raise failure("open", url, said, _SIGN_IN) from None
    return CloudStore(url, client, prefix, _AZURE, backoff)


def _with_machines_credentials(container: str, config: AzureConfig, backoff: Backoff) -> AzureStore:
    options = client_options(config.get("endpoint"), backoff)
    retries = own_retries(backoff)
    if importlib.util.find_spec("azure") and importlib.util.find_spec("azure.identity"):
        from obstore.auth.azure import AzureCredentialProvider

        provider = AzureCredentialProvider()
        return AzureStore(
            container,
            config=config,
            client_options=options,
            retry_config=retries,
            credential_provider=provider,
        )
    workload = environment("AZURE_FEDERATED_TOKEN_FILE", "MSI_ENDPOINT", "IDENTITY_ENDPOINT")
    if not workload and shutil.which("az"):
        config["use_azure_cli"] = True
    return AzureStore(container, config=config, client_options=options, retry_config=retries)


def _is_explicit(config: AzureConfig) -> bool:
    service = "client_id" in config and "client_secret" in config
    return service or "account_key" in config or "sas_key" in config


def _from_environment() -> AzureConfig:
    config: AzureConfig = {}
    said = _connection(environment("AZURE_STORAGE_CONNECTION_STRING") or "")
    account = environment("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
    if name := account or said.get("accountname"):
        config["account_name"] = name
    key = environment("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY")
    if key := key or said.get("accountkey"):
        config["account_key"] = key
    token = environment("AZURE_STORAGE_SAS_TOKEN") or said.get("sharedaccesssignature")
    if token and not key:
        config["sas_key"] = token.removeprefix("?")
    if endpoint := environment("AZURE_STORAGE_ENDPOINT") or said.get("blobendpoint"):
        config["endpoint"] = endpoint.rstrip("/")
    if client := environment("AZURE_CLIENT_ID"):
        config["client_id"] = client
    if secret := environment("AZURE_CLIENT_SECRET"):
        config["client_secret"] = secret
    if tenant := environment("AZURE_TENANT_ID"):
        config["tenant_id"] = tenant
    return config


def _connection(text: str) -> dict[str, str]:
    """The parts of a connection string by name, in lower case."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
