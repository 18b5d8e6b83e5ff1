#!/usr/bin/env bash
# Makes the throwaway certificates of this folder with openssl 3: for each flaw a CA (FLAW.ca.pem)
# and a certificate of a server at 127.0.0.1 with its key (FLAW.pem), valid for a hundred years.
# They guard nothing: the keys of the CAs are not kept, and no machine trusts them.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

constraints='basicConstraints=critical,CA:TRUE'
usage='keyUsage=critical,keyCertSign,cRLSign'
subject='subjectKeyIdentifier=hash'
issuer='authorityKeyIdentifier=keyid'

pair() { # FLAW, extensions of the CA, extension and subject of the server
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes) ca="/CN=llmkit test CA $1"
  {
    printf '[req]\ndistinguished_name=dn\n[dn]\n[flawed]\n%s\n' "${2//;/$'\n'}"
    printf '[sound]\n%s\n' "$constraints" "$usage" "$subject"
    printf '[server]\nsubjectAltName=IP:127.0.0.1\n%s\n' "$3"
  } > "$work/conf"
  # A twin without the flaw signs, because openssl copies an identifier from the CA.
  openssl req -x509 "${key[@]}" -keyout "$work/ca.key" -out "$work/ca.pem" -days 36500 \
    -subj "$ca" -config "$work/conf" -extensions sound
  openssl req -x509 -key "$work/ca.key" -out "$1.ca.pem" -days 36500 \
    -subj "$ca" -config "$work/conf" -extensions flawed
  openssl req "${key[@]}" -keyout "$work/server.key" -out "$work/csr" -config "$work/conf" \
    -subj "$4"
  openssl x509 -req -in "$work/csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial \
    -out "$work/server.pem" -days 36500 -extfile "$work/conf" -extensions server
  cat "$work/server.key" "$work/server.pem" > "$1.pem"
}

name='/CN=llmkit test server'
pair none "$constraints;$usage;$subject" "$issuer" "$name"
pair key_usage "$constraints;$subject" "$issuer" "$name"
pair basic_constraints "basicConstraints=CA:TRUE;$usage;$subject" "$issuer" "$name"
pair subject_key_identifier "$constraints;$usage;subjectKeyIdentifier=none" "$issuer" "$name"
pair authority_key_identifier "$constraints;$usage;$subject" authorityKeyIdentifier=none "$name"
pair subject "$constraints;$usage;$subject" "$issuer" /
