<?php // SPDX-License-Identifier: MIT
// import.php FILE: a CSV file by fgetcsv into bench_import, a row at a time by one prepared INSERT, all in one transaction.
$db = new PDO('mysql:unix_socket=' . getenv('BENCH_SOCKET') . ';charset=utf8mb4;dbname=' . getenv('BENCH_SITE'),
    getenv('BENCH_USER'), getenv('BENCH_PASSWORD'), [PDO::ATTR_EMULATE_PREPARES => false]);
$file = fopen($argv[1], 'r');
$names = fgetcsv($file, null, ',', '"', '');
$insert = $db->prepare('INSERT INTO bench_import (owner_id, ' . implode(', ', $names) . ') VALUES (1'
    . str_repeat(', ?', count($names)) . ')');
$db->beginTransaction();
while (($row = fgetcsv($file, null, ',', '"', '')) !== false) {
    $insert->execute($row);
}
$db->commit();
