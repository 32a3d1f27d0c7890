# perl.pl URL: version.info with XMLRPC::Lite, over LWP.
use strict;
use warnings;
use XMLRPC::Lite;

my $answer = eval { XMLRPC::Lite->proxy($ARGV[0])->call('version.info', 'any key') };
if (!$answer) {
    print STDERR "refused: $@";
    exit 1;
}
print 'api_version ', $answer->result->{api_version}, "\n";
