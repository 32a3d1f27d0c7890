//go:build ignore

// Command terminate takes TLS connections with the certificate of "gateway cert"
// and hands their bytes to a gateway that listens for plain HTTP. It reads the
// certificate again on SIGHUP.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"

	"crypto/tls"

	"v3gate/internal/certs"
)

func main() {
	log.SetFlags(0)
	listen := flag.String("listen", "127.0.0.1:0", "address for TLS")
	to := flag.String("to", "127.0.0.1:8080", "address of the gateway's --listen")
	cert := flag.String("tls-cert", "", "certificate")
	key := flag.String("tls-key", "", "its key")
	least := flag.String("tls-min", "", "minimum version")
	flag.Parse()
	src, err := certs.Load(*cert, *key)
	if err != nil {
		log.Fatal(err)
	}
	minVersion, err := certs.ParseVersion(*least)
	if err != nil {
		log.Fatal(err)
	}
	l, err := tls.Listen("tcp", *listen, certs.TLSConfig(src, minVersion))
	if err != nil {
		log.Fatal(err)
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		for range hup {
			log.Printf("reload: %v, until %s", src.Reload(), src.NotAfter())
		}
	}()
	fmt.Println("ready", l.Addr())
	for {
		conn, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go forward(conn.(*tls.Conn), *to)
	}
}

// forward ends when the gateway closes, as the gateway's own listener would.
func forward(conn *tls.Conn, to string) {
	defer conn.Close()
	if err := conn.Handshake(); err != nil {
		log.Printf("handshake with %s: %v", conn.RemoteAddr(), err)
		return
	}
	gateway, err := net.Dial("tcp", to)
	if err != nil {
		log.Print(err)
		return
	}
	defer gateway.Close()
	go func() {
		io.Copy(gateway, conn)
		gateway.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(conn, gateway)
}
