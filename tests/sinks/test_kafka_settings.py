"""What may stand in a Kafka URL and in settings, and what is said of what may not."""

from __future__ import annotations

import pytest

from retail_datagen.sinks import SinkError, open_sink
from retail_datagen.sinks.kafka_generations import is_another, since_emptied
from retail_datagen.sinks.kafka_settings import Settings, understood
from retail_datagen.sinks.options import KafkaOptions, MessageOptions, StreamOptions


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("kafka://h:9092?partitions=0", "partitions: '0' is no whole number from 1 on"),
        ("kafka://h:9092?partitions=x", "partitions: 'x' is no whole number"),
        ("kafka://h:9092?format=xml", "format: 'xml' is not known; allowed are json, avro"),
        ("kafka://h:9092?envelope=x", "envelope: 'x' is not known; allowed are none, cloudevents"),
        ("kafka://h:9092?transactions=no", "transactions: 'no' is not known; allowed are on, off"),
        ("kafka://h:9092?topic_prefix=a/b", "topic_prefix: 'a/b' has more than letters"),
        ("kafka://h:9092?partition=3", "option 'partition' is not known to"),
        ("kafka://h:9092?format=avro", "avro needs a schema registry; name one with --registry"),
        ("kafka://a b:9092", "'a b:9092' is no broker; write host:9092,host2:9092"),
        ("kafka://user:hidden@h:9092", "a URL has no place for credentials"),
    ],
)
def test_a_wrong_url_says_what_is_allowed(url: str, message: str) -> None:
    with pytest.raises(SinkError) as error:
        open_sink(url)
    assert message in str(error.value)
    assert "hidden" not in str(error.value)


def test_brokers_come_from_the_url_the_settings_or_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "e:1")
    options = StreamOptions(kafka=KafkaOptions(config={"bootstrap.servers": "s:1"}))
    names = {
        open_sink("kafka://u:1", options=options).name,
        open_sink("kafka:", options=options).name,
        open_sink("kafka://").name,
    }
    assert len(names) == 3
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS")
    with pytest.raises(SinkError, match="no broker is named"):
        open_sink("kafka:")


def test_the_same_target_has_the_same_name() -> None:
    assert open_sink("kafka://a:1,b:2").name == open_sink("kafka://b:2,a:1").name
    assert open_sink("kafka://a:1").name != open_sink("kafka://a:1?topic_prefix=x").name


def test_the_format_is_part_of_what_a_target_holds() -> None:
    assert open_sink("kafka://a:1").format == "json"
    assert open_sink("kafka://a:1?envelope=cloudevents").format == "json+cloudevents"
    avro = MessageOptions("avro", "none", "mock://x")
    assert open_sink("kafka://a:1", options=StreamOptions(message=avro)).format == "avro"


def test_credentials_of_the_java_client_are_understood() -> None:
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    found = understood(
        {
            "security.protocol": "SASL_SSL",
            "sasl.jaas.config": f'{login} username="$ConnectionString" '
            'password="Endpoint=sb://x/;Key=a\\"b=";',
        }
    )
    assert found == {
        "security.protocol": "SASL_SSL",
        "sasl.username": "$ConnectionString",
        "sasl.password": 'Endpoint=sb://x/;Key=a"b=',
    }


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"sasl.jaas.config": "Krb5LoginModule hidden;"}, "sasl.jaas.config: write username="),
        ({"ssl.truststore.password": "hidden"}, "ssl.truststore.password is a setting of the Java"),
    ],
)
def test_others_of_the_java_client_are_named(config: dict[str, str], message: str) -> None:
    with pytest.raises(SinkError) as error:
        understood(config)
    assert message in str(error.value)
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"linger.sm": "hidden"}, "linger.sm: no setting of this name is known"),
        ({"acks": "hidden"}, "acks: it cannot be so"),
        ({"security.protocol": "hidden"}, "security.protocol: it cannot be so"),
        (
            {"security.protocol": "ssl", "ssl.ca.location": "/hidden"},
            "ssl.ca.location: it cannot be so",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_named_and_not_shown(
    config: dict[str, str], message: str
) -> None:
    with pytest.raises(SinkError) as error:
        Settings("a:1", config).producer({})
    assert message in str(error.value)
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    ("was", "now", "another"),
    [
        ("a", "a", False),
        ("a", "b", True),
        ("a", "a/1", True),
        ("a/1", "a/1", False),
        ("a/1", "a/2", True),
        ("a/1", "b", True),
        ("a/1", "ab", True),
        ("a/1", "a", False),  # its checkpoint was dropped: nobody tells
    ],
)
def test_generations_of_topics_are_told_apart(was: str, now: str, another: bool) -> None:
    assert is_another(was, now) is another
    assert since_emptied("a", "1") == "a/1"


def test_settings_do_not_show_what_they_hold() -> None:
    settings = Settings("a:1", {"sasl.password": "hidden"})
    options = StreamOptions(kafka=KafkaOptions(config={"sasl.password": "hidden"}))
    assert "hidden" not in repr(settings) + repr(options)
