"""Real parts for the tests: private servers on free ports, with data folders of their own.

Nothing here talks to a server that already runs. What a test starts it stops; what the test run
shares (PostgreSQL, RabbitMQ) is started by the first test that needs it and stopped at the end, also
when the run is killed.
"""
