<?php
// php.php URL [ADDRESS]: version.info with the xmlrpc extension and a stream, which
// verifies with what php.ini and the environment say. ADDRESS is connected to
// instead of the URL's host, whose name is verified all the same.
[, $url] = $argv;
$host = parse_url($url, PHP_URL_HOST);
$options = ['http' => [
    'method' => 'POST',
    'header' => "Content-Type: text/xml\r\nHost: $host\r\n",
    'content' => xmlrpc_encode_request('version.info', ['any key']),
]];
if (isset($argv[2])) {
    $options['ssl'] = ['peer_name' => $host];
    $url = str_replace("//$host", "//$argv[2]", $url);
}
$warnings = [];
set_error_handler(function ($level, $text) use (&$warnings) {
    $warnings[] = strtr($text, "\n", ' ');
    return true;
});
$answer = file_get_contents($url, false, stream_context_create($options));
if ($answer === false) {
    fwrite(STDERR, 'refused: ' . implode('; ', $warnings) . "\n");
    exit(1);
}
echo 'api_version ', xmlrpc_decode($answer)['api_version'], "\n";
