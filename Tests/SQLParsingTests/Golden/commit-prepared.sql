/* é */ COMMIT PREPARED 'x';
