"""What holds other pages, and other machines, off this one: hosts, methods and what a browser may load."""

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ["localhost", "127.0.0.1"]  # a name that an attacker points at 127.0.0.1 is another one
HEADERS = {
    "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """Answers GET of this page's own hosts; whatever is answered carries `HEADERS`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = TrustedHostMiddleware(app, allowed_hosts=HOSTS, www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        refusal = _refusal(scope)
        await (refusal or self._app)(scope, receive, guarded)


def _refusal(scope: Scope) -> PlainTextResponse | None:
    """What is said to a request that no page of ours makes."""
    if scope["method"] != "GET":
        return PlainTextResponse("only GET is answered", 405, {"allow": "GET"})
    said = {name: value for name, value in scope["headers"] if name.startswith(b"sec-fetch-")}
    foreign = said.get(b"sec-fetch-site") in (b"cross-site", b"same-site")
    if foreign and said.get(b"sec-fetch-mode") != b"navigate":  # another page's picture or script; a link may lead here
        return PlainTextResponse("asked for by another site", 403)
    return None
