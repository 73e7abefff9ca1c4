# Random secrets, the forms in which a server may send them back, and where
# they are found.
#
#	my $secrets = Secrets->new;
#	my $key = $secrets->make('api_key');
#	is_deeply([ $secrets->found($text) ], [], 'no secret');
package Secrets;

use strict;
use warnings;

use JSON::PP;
use MIME::Base64;

sub new { return bless { cores => {} }, $_[0]; }

# A secret with characters that are written in other ways in URLs, JSON and
# forms.
sub make
{
	my ($self, $name) = @_;
	my @letters = ('a' .. 'z', 'A' .. 'Z', '0' .. '9');
	my $core = join '', map { $letters[ rand @letters ] } 1 .. 20;

	$self->{cores}{$core} = $name;
	return substr($core, 0, 4) . '/+"' . $core . '% =&\\~';
}

# Text that shall not be seen and was not made here, such as a line of a key.
sub add
{
	my ($self, $name, $text) = @_;

	$self->{cores}{$text} = $name;
	return;
}

# Names of the secrets that a text has, each with the form that it is in.
sub found
{
	my ($self, $text) = @_;
	my %found;

	foreach my $core (keys %{ $self->{cores} })
	{
		my %forms = (
			plain => quotemeta $core,
			percent => join('', map { sprintf '%%%02x', ord } split //, $core),
			unicode => join('', map { sprintf '\\\\\\\\?u%04x', ord } split //, $core),
			hex => unpack('H*', $core),
			map { ("base64 $_" => quotemeta substr(encode_base64('x' x $_ . $core, ''), 4, 20)) } 0 .. 2);

		foreach my $form (keys %forms)
		{
			# base64 alone depends on case
			my $pattern = $form =~ /plain|base64/ ? qr/$forms{$form}/ : qr/$forms{$form}/i;

			$found{"$self->{cores}{$core} ($form)"} = 1 if $text =~ $pattern;
		}
	}
	return sort keys %found;
}

# Secrets in all the forms in which an answer may have them: a JSON object,
# and headers.
sub echo
{
	my ($status, @secrets) = @_;
	my (%body, @headers);

	foreach my $i (0 .. $#secrets)
	{
		my $secret = $secrets[$i];
		my $percent = join '', map { /[A-Za-z0-9]/ ? $_ : sprintf '%%%02X', ord } split //, $secret;

		$body{"plain$i"} = "the key $secret is not known";
		$body{"percent$i"} = "https://api.example/?key=$percent&x=1";
		$body{"whole$i"} = join '', map { sprintf '%%%02x', ord } split //, $secret;
		$body{"base64$i"} = encode_base64($secret, '');
		$body{"basic$i"} = encode_base64("user:$secret", '');
		push @headers, "X-Plain-$i: $secret", "X-Percent-$i: $percent", "X-Encoded-$i: " . encode_base64("x$secret", '');
	}
	my $escaped = join '', map { sprintf '\\u%04x', ord } split //, $secrets[0];
	my $json = JSON::PP->new->canonical->encode({ errorMessage => $body{plain0}, %body }) =~ s/\}$/,"escaped":"$escaped"}/r;

	return join("\r\n", "HTTP/1.1 $status", @headers, "Set-Cookie: sid=$secrets[0]", 'Content-Type: application/json',
		'Content-Length: ' . length($json), '', $json);
}

1;
