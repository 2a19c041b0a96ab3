package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"chancery/access"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// accessOptions are the flags that say who may ask.
type accessOptions struct {
	tokenFile, jwks, issuer, audience string
}

func (o *accessOptions) flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.tokenFile, "token-file", "", "ask for one of the tokens whose hashes stand in `FILE`; see chancery token")
	flags.StringVar(&o.jwks, "jwks", "", "ask for a JSON Web Token signed by a key of the set at this https URL or in this `FILE`")
	flags.StringVar(&o.issuer, "jwt-issuer", "", "the `ISSUER` (iss) that JSON Web Tokens are to have")
	flags.StringVar(&o.audience, "jwt-audience", "", "the `AUDIENCE` (aud) that JSON Web Tokens are to have")
}

func (o *accessOptions) check() error {
	switch {
	case o.jwks != "" && (o.issuer == "" || o.audience == ""):
		return usage("--jwks needs --jwt-issuer and --jwt-audience: a token that was made for somebody else is not to let anybody in here")
	case o.jwks == "" && (o.issuer != "" || o.audience != ""):
		return usage("--jwt-issuer and --jwt-audience go with --jwks")
	}
	return nil
}

// guard is who checks tokens; nil lets everybody in.
func (c *cli) guard(ctx context.Context, o *accessOptions) (*access.Guard, error) {
	var verifiers []access.Verifier
	if o.tokenFile != "" {
		tokens, err := access.OpenTokens(o.tokenFile, time.Now, c.logger())
		if err != nil {
			return nil, err
		}
		verifiers = append(verifiers, tokens)
	}
	if o.jwks != "" {
		jwt, err := access.NewJWT(ctx, access.JWTOptions{JWKS: o.jwks, Issuer: o.issuer, Audience: o.audience, Logger: c.logger()})
		if err != nil {
			return nil, fmt.Errorf("--jwks: %w", err)
		}
		verifiers = append(verifiers, jwt)
	}
	if verifiers == nil {
		return nil, nil
	}
	return access.NewGuard(verifiers...), nil
}

func (c *cli) tokenCommand() *cobra.Command {
	var expires string
	command := &cobra.Command{
		Use:   "token NAME",
		Short: "Make a token that lets somebody ask a server",
		Long: `Token makes a token. The token goes to standard error, once: hand it over, and
keep it nowhere. The line for the file of --token-file goes to standard output; it
holds a hash of the token, and cannot be turned back into it.

The name stands in the server's log with every request. A running server notices
within a second when the file changes: delete a line to take a token back.`,
		Example: `  chancery token newsroom >> tokens
  chancery token --expires 2027-06-30 researcher@example.org >> tokens`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("name whom the token is for, for example: chancery token newsroom")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			var end time.Time
			if expires != "" {
				var err error
				if end, err = access.ParseExpiry(expires); err != nil {
					return usage("--expires: %w", err)
				}
				if !end.After(time.Now()) {
					return usage("--expires %s is in the past", expires)
				}
			}
			token, line, err := access.NewToken(args[0], end, rand.Reader)
			if err != nil {
				return usageError{err}
			}
			if _, err := fmt.Fprintln(c.stdout, line); err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.stderr, token)
			return err
		},
	}
	command.Flags().StringVar(&expires, "expires", "", "the last `DAY` (UTC), or the RFC 3339 time, when the token ends; never, without it")
	return command
}
