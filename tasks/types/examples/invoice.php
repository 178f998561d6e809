#!/usr/bin/php
<?php // SPDX-License-Identifier: MIT
// A command in PHP, one task per run: an invoice as a page.
//
//     command "invoice" {
//         argv = {"/usr/bin/php", "/srv/shop/invoice.php"}
//         any_data = yes
//     }
//
// {"customer": "Ada", "items": [{"title": "Notes", "price": "12.50"}]}

$task = json_decode(stream_get_contents(STDIN), true, 64, JSON_THROW_ON_ERROR);
$progress = fopen('php://fd/3', 'w');
$items = $task['items'] ?? [];
if (!$items) {
    fwrite(STDERR, "nothing to pay for\n"); // the last line becomes part of the error
    exit(1);
}

$total = 0;
$rows = '';
foreach ($items as $number => $item) {
    $total += (int) round(100 * (float) $item['price']);
    $rows .= sprintf("<tr><td>%s</td><td>%s</td></tr>\n", htmlspecialchars($item['title']), htmlspecialchars($item['price']));
    fwrite($progress, json_encode(['done' => $number + 1, 'total' => count($items), 'message' => $item['title']]) . "\n");
}

// stable over all attempts: the same task never makes two invoices
$invoice = getenv('BACKDESK_IDEMPOTENCY_KEY');
file_put_contents(
    getenv('BACKDESK_OUTPUT_DIR') . '/invoice.html',
    "<!doctype html>\n<title>" . htmlspecialchars($invoice) . '</title>' .
    '<p>' . htmlspecialchars($task['customer'] ?? '') . "</p>\n<table>\n$rows</table>\n"
);
echo json_encode(['invoice' => $invoice, 'cents' => $total]);
