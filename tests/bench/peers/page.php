<?php // SPDX-License-Identifier: MIT
// page.php: a task looked up or entered as a page of a site would do it: PDO, a persistent connection, opcache.
$db = new PDO('mysql:unix_socket=' . getenv('BENCH_SOCKET') . ';charset=utf8mb4;dbname=' . getenv('BENCH_DATABASE'),
    getenv('BENCH_USER'), getenv('BENCH_PASSWORD'),
    [PDO::ATTR_PERSISTENT => true, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
header('Content-Type: application/json');
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $task = json_decode(file_get_contents('php://input'), true);
    $insert = $db->prepare("INSERT INTO tasks (type, data, created_by) VALUES ('peer', ?, 1)");
    $insert->execute([json_encode((object)($task['data'] ?? []))]);
    http_response_code(202);
    echo json_encode(['id' => (int)$db->lastInsertId(), 'type' => 'peer', 'status' => 'fresh']);
} else {
    $select = $db->prepare('SELECT * FROM tasks WHERE id = ? AND created_by = 1');
    $select->execute([(int)basename($_SERVER['REQUEST_URI'])]);
    $task = $select->fetch(PDO::FETCH_ASSOC);
    if (!$task) {
        http_response_code(404);
    }
    echo json_encode($task ?: null);
}
