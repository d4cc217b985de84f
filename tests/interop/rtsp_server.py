"""A camera made of GStreamer's RTSP server, for Debian's Python: `python3 rtsp_server.py PORT [USER PASSWORD]`.

It serves a blinking picture in H.264 at rtsp://127.0.0.1:PORT/camera (any free port for 0), and prints the port once it
listens. With a user,
it asks for a login by digest, as cameras do.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 (after the versions)

PICTURE = (
    "( videotestsrc pattern=blink is-live=true ! video/x-raw,width=320,height=192,framerate=25/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25"
    " ! rtph264pay name=pay0 pt=96 config-interval=1 )"
)
ROLE = "viewer"


def restrict(
    server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, user: str, password: str
) -> None:
    """Let only this user watch."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    login = GstRtspServer.RTSPAuth()
    login.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    login.add_digest(user, password, token)
    server.set_auth(login)
    permissions = GstRtspServer.RTSPPermissions()
    for right in ("access", "construct"):
        permissions.add_permission_for_role(ROLE, f"media.factory.{right}", True)
    factory.set_permissions(permissions)


def main(port: str, *login: str) -> None:
    """Serve until it is killed."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PICTURE)
    factory.set_shared(True)
    if login:
        restrict(server, factory, *login)
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


main(*sys.argv[1:])
