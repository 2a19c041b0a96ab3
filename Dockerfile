# A static binary and nothing else, run by nobody in particular.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /chancery . && mkdir /record

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /chancery /chancery
COPY --from=build --chown=nonroot:nonroot /record /record
COPY data/ /data/
WORKDIR /record
USER nonroot
# Everything below can be set anew, as a flag or in the environment. Off loopback a server asks for tokens: mount a file.
ENV CHANCERY_ADDR=0.0.0.0:8080 CHANCERY_STORE=sqlite:/record/chancery.db CHANCERY_LOG_FORMAT=json
VOLUME /record
EXPOSE 8080
ENTRYPOINT ["/chancery"]
CMD ["serve", "--token-file", "/run/secrets/tokens"]
