<?php // SPDX-License-Identifier: MIT
// export.php QUERY FILE: a CSV file by fputcsv, the rows as the server sends them.
$db = new PDO('mysql:unix_socket=' . getenv('BENCH_SOCKET') . ';charset=utf8mb4;dbname=' . getenv('BENCH_SITE'),
    getenv('BENCH_USER'), getenv('BENCH_PASSWORD'), [PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => false]);
$file = fopen($argv[2], 'w');
foreach ($db->query($argv[1], PDO::FETCH_NUM) as $row) {
    fputcsv($file, $row, ',', '"', '');
}
