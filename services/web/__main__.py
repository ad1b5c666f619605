"""``python -m services.web <command>``."""

import click

from services.web.settings import load_settings
from services.web.wsgi import build_app
from shared.api.serving import serve as serve_app
from shared.commands import run


@click.group()
def commands() -> None:
    """The portal: pages for people."""


@commands.command()
def serve() -> None:
    """Serve the portal until told to stop."""
    serve_app(build_app, load_settings().serving)


@commands.command()
def check() -> None:
    """Read the settings, put the portal together and compile its templates; start nothing."""
    app = build_app()
    for name in app.jinja_env.list_templates(extensions=["html", "svg"]):
        app.jinja_env.get_template(name)
    click.echo("web: settings and templates are in order")


if __name__ == "__main__":
    run(commands)
