# python.py URL [ADDRESS]: version.info with xmlrpc.client as it comes. ADDRESS is
# connected to instead of the URL's host, whose name is verified all the same.
import socket
import sys
import xmlrpc.client


class Elsewhere(xmlrpc.client.SafeTransport):
    def make_connection(self, host):
        connection = super().make_connection(host)
        connection._create_connection = lambda address, *rest: socket.create_connection(
            (sys.argv[2], address[1]), *rest
        )
        return connection


try:
    transport = Elsewhere() if len(sys.argv) > 2 else None
    api = xmlrpc.client.ServerProxy(sys.argv[1], transport=transport)
    print("api_version", api.version.info("any key")["api_version"])
except OSError as e:
    sys.exit("refused: %s" % e)
